/** Where the packed network lies: give it to `load` of `signum-bnn/runtime`. */
declare const address: URL;
export default address;
