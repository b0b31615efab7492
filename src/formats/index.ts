/** `signum-bnn/formats`: reading and writing model files. */
export { readSafetensors, type SafetensorsFile, type StoredTensor, writeSafetensors } from '../core/safetensors.ts';
