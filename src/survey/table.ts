/** One line of a table of the survey (Qin et al. 2020), as printed. */
export interface SurveyRow {
  readonly group: string;
  readonly method: string;
  /** Number in the survey's references, or empty. */
  readonly reference: string;
  /** The remaining columns. */
  readonly cells: readonly string[];
  /** Signum's method, where there is one. */
  readonly id: string | null;
}

export interface SurveyTable {
  readonly number: number;
  readonly title: string;
  /** Heads of `cells`. */
  readonly columns: readonly string[];
  readonly rows: readonly SurveyRow[];
  /** What the table is known to print wrongly. */
  readonly notes?: readonly string[];
}

/**
 * Reads lines `method [reference] | cell | cell ... | signum id`; a line `# group` heads the ones below, and a method `"` repeats the one
 * above.
 */
export function parseRows(text: string): SurveyRow[] {
  const rows: SurveyRow[] = [];
  let group = '';
  for (const line of text.trim().split('\n')) {
    if (line.startsWith('# ')) {
      group = line.slice(2).trim();
      continue;
    }
    const [name = '', ...rest] = line.split('|').map((cell) => cell.trim());
    const last = rows.at(-1);
    const repeats = name === '"' && last;
    const [, method = name, reference = ''] = /^(.*?)(?: \[(\d+)\])?$/.exec(name) ?? [];
    rows.push({
      group,
      method: repeats ? last.method : method,
      reference: repeats ? last.reference : reference,
      cells: rest.slice(0, -1),
      id: rest.at(-1) || null,
    });
  }
  return rows;
}
