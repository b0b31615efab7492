export default new URL('./model.safetensors', import.meta.url);
