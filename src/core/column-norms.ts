/** The Euclidean norm of each column of a matrix [rows,columns]; in double precision. */
export function columnNorms(values: Float32Array, columns: number): Float64Array {
  const squares = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) squares[i % columns]! += values[i]! ** 2;
  return squares.map(Math.sqrt);
}
