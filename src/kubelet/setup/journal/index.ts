export { createJournal, type Decision, type Journal, type JournalEntry } from './journal.ts';
