console.log('wasm: to come');
