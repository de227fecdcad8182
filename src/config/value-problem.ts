/** What the reader of a setting throws: the end of a sentence. `parseConfig` puts the variable's name in front. */
export class ValueProblem extends Error {}
