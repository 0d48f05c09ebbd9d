import { z } from 'zod';

// A schema reads a configuration once: what is gained by making code for it is less than what that costs.
z.config({ jitless: true });
