// The format safetensors: the length of a header, the header as JSON, and the numbers of all arrays.

const KINDS = { F64: Float64Array, U8: Uint8Array };
const LARGEST_HEADER = 1e6; // bytes

/** Write arrays, `{ name: [values, shape] }`, with texts beside them; those of eight bytes first, so that all are aligned. */
export function writeTensors(arrays, texts) {
  const entries = Object.entries(arrays).toSorted(([, [a]], [, [b]]) => b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT);
  const header = {};
  let end = 0;
  for (const [name, [values, shape]] of entries) {
    const dtype = Object.keys(KINDS).find((kind) => values instanceof KINDS[kind]);
    header[name] = { dtype, shape, data_offsets: [end, (end += values.byteLength)] };
  }
  const numbers = new Uint8Array(end);
  for (const [name, [values]] of entries) {
    numbers.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), header[name].data_offsets[0]);
  }
  const metadata = { ...texts, crc32: String(crc32(numbers)) };
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...header }));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end).fill(32, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  bytes.set(numbers, 8 + length);
  return bytes;
}

/** Read arrays and texts; a RangeError if the file is cut off or damaged. */
export function readTensors(buffer) {
  const require = (condition) => {
    if (!condition) throw new RangeError("damaged");
  };
  require(buffer.byteLength > 8);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  require(length <= Math.min(LARGEST_HEADER, buffer.byteLength - 8));
  let header;
  try {
    header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  } catch {
    require(false);
  }
  const { __metadata__: texts = {}, ...described } = header;
  const numbers = new Uint8Array(buffer, 8 + length);
  require(texts.crc32 === undefined || texts.crc32 === String(crc32(numbers)));
  const arrays = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(described)) {
    const [from, to] = data_offsets;
    const Kind = KINDS[dtype];
    if (!Kind) continue; // an array of another program
    const count = shape.reduce((product, side) => product * side, 1);
    require(0 <= from && to <= numbers.length && to - from === count * Kind.BYTES_PER_ELEMENT);
    arrays[name] = { values: new Kind(numbers.slice(from, to).buffer), shape };
  }
  return { arrays, texts };
}

/** Compute the CRC-32 of bytes, as zlib does. */
export function crc32(bytes) {
  const table = Int32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
    return rest;
  });
  let rest = -1;
  for (let at = 0; at < bytes.length; at++) rest = table[(rest ^ bytes[at]) & 255] ^ (rest >>> 8);
  return ~rest >>> 0;
}
