import { type Dtype, exactDtypes } from './dtypes.ts';

/**
 * Which codes of a float are no finite number: `ieee` those with an exponent of ones, of which mantissa 0 is infinity; `nan` the two of ones
 * all over (FN: finite); `zero` minus zero, with the exponent's bias one more (FNUZ: unsigned zero too); `none`.
 */
type Special = 'ieee' | 'nan' | 'zero' | 'none';

function floatOf(code: number, bits: number, exponentBits: number, special: Special): number {
  const mantissaBits = bits - 1 - exponentBits;
  const mantissa = code & (2 ** mantissaBits - 1);
  const [exponent, most] = [(code >> mantissaBits) & (2 ** exponentBits - 1), 2 ** exponentBits - 1];
  const sign = code >> (bits - 1) ? -1 : 1;
  if (special === 'ieee' && exponent === most) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (special === 'nan' && exponent === most && mantissa === 2 ** mantissaBits - 1) return Number.NaN;
  if (special === 'zero' && code === 2 ** (bits - 1)) return Number.NaN;
  const bias = 2 ** (exponentBits - 1) - (special === 'zero' ? 0 : 1);
  const fraction = mantissa / 2 ** mantissaBits;
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias));
}

/** Codes that follow one another without gaps, lowest bit first, widened by a table that is made when one is first read. */
function narrow(bits: number, value: (code: number) => number): Dtype {
  let values: Float32Array | undefined;
  const read = (raw: ArrayBuffer) => {
    values ??= Float32Array.from({ length: 2 ** bits }, (_, code) => value(code));
    const bytes = new Uint8Array(raw);
    const floats = new Float32Array((8 * bytes.length) / bits);
    for (let i = 0; i < floats.length; i++) {
      const [byte, bit] = [Math.floor((i * bits) / 8), (i * bits) % 8];
      const pair = bytes[byte]! | ((bytes[byte + 1] ?? 0) << 8);
      floats[i] = values[(pair >> bit) & (values.length - 1)]!;
    }
    return floats;
  };
  return { bits, read };
}
const float = (bits: number, exponentBits: number, special: Special) =>
  narrow(bits, (code) => floatOf(code, bits, exponentBits, special));

/** All element types of the format. C64 is read as pairs. */
export const dtypes: ReadonlyMap<string, Dtype> = new Map([
  ...exactDtypes,
  ['C64', { bits: 64, read: (raw: ArrayBuffer) => new Float32Array(raw) }],
  ['F16', float(16, 5, 'ieee')],
  ['BF16', float(16, 8, 'ieee')],
  ['F8_E5M2', float(8, 5, 'ieee')],
  ['F8_E4M3', float(8, 4, 'nan')],
  ['F8_E5M2FNUZ', float(8, 5, 'zero')],
  ['F8_E4M3FNUZ', float(8, 4, 'zero')],
  ['F8_E8M0', narrow(8, (code) => (code === 255 ? Number.NaN : 2 ** (code - 127)))],
  ['F6_E3M2', float(6, 3, 'none')],
  ['F6_E2M3', float(6, 2, 'none')],
  ['F4', float(4, 2, 'none')],
]);
