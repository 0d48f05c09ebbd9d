/** The machines that the sample image runs on, in the words of Go, which OCI images use. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

const FILE_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const CODE_OFFSET = FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES;
const LOAD_ADDRESS = 0x40_0000n;
/** The largest page size of the two machines. */
const ALIGNMENT = 0x1_0000n;

const ELF_MACHINE: Readonly<Record<Architecture, number>> = { amd64: 62, arm64: 183 };

/**
 * A complete Linux program that writes `message` to standard output and ends: two system calls in a static ELF
 * file of some 200 bytes, so that the sample image needs neither a compiler nor a base image.
 * @param message at most 60 000 bytes
 * @see System V ABI, "Object Files" and "Program Loading"
 */
export function helloExecutable(architecture: Architecture, message: string): Buffer {
  const text = Buffer.from(message);
  const code = architecture === 'amd64' ? amd64Code(text.length) : arm64Code(text.length);
  const sizeBytes = CODE_OFFSET + code.length + text.length;
  return Buffer.concat([fileHeader(architecture), programHeader(sizeBytes), code, text]);
}

function fileHeader(architecture: Architecture): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  header.write('\x7fELF', 'latin1');
  header.set([2, 1, 1], 4); // 64 bit, little-endian, version 1
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(ELF_MACHINE[architecture], 18);
  header.writeUInt32LE(1, 20); // version
  header.writeBigUInt64LE(LOAD_ADDRESS + BigInt(CODE_OFFSET), 24); // entry point
  header.writeBigUInt64LE(BigInt(FILE_HEADER_BYTES), 32); // where the program header is
  header.writeUInt16LE(FILE_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(1, 56); // number of program headers
  return header;
}

function programHeader(sizeBytes: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_BYTES);
  header.writeUInt32LE(1, 0); // load this segment
  header.writeUInt32LE(5, 4); // readable and executable
  header.writeBigUInt64LE(0n, 8); // from the start of the file
  header.writeBigUInt64LE(LOAD_ADDRESS, 16);
  header.writeBigUInt64LE(LOAD_ADDRESS, 24);
  header.writeBigUInt64LE(BigInt(sizeBytes), 32); // in the file
  header.writeBigUInt64LE(BigInt(sizeBytes), 40); // in memory
  header.writeBigUInt64LE(ALIGNMENT, 48);
  return header;
}

/** The text follows the code, so both machines address it relative to the instruction. */
function amd64Code(textBytes: number): Buffer {
  const code = Buffer.from(
    [
      'bf 01 00 00 00', //       mov edi, 1         standard output
      '48 8d 35 15 00 00 00', // lea rsi, [rip+21]  the text
      'ba 00 00 00 00', //       mov edx, length
      'b8 01 00 00 00', //       mov eax, 1         write
      '0f 05', //                syscall
      '31 ff', //                xor edi, edi       status 0
      'b8 3c 00 00 00', //       mov eax, 60        exit
      '0f 05', //                syscall
    ]
      .join('')
      .replaceAll(' ', ''),
    'hex',
  );
  code.writeUInt32LE(textBytes, 13);
  return code;
}

function arm64Code(textBytes: number): Buffer {
  const instructions = [
    0xd2800020, //                     mov x0, #1       standard output
    0x100000e1, //                     adr x1, . + 28   the text
    0xd2800002 + (textBytes << 5), //  mov x2, #length
    0xd2800808, //                     mov x8, #64      write
    0xd4000001, //                     svc #0
    0xd2800000, //                     mov x0, #0       status 0
    0xd2800ba8, //                     mov x8, #93      exit
    0xd4000001, //                     svc #0
  ];
  const code = Buffer.alloc(instructions.length * 4);
  for (const [index, instruction] of instructions.entries()) code.writeUInt32LE(instruction, index * 4);
  return code;
}
