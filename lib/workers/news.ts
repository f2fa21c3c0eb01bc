/** Something that a person should hear of. `became` is set where it was odd: what was done about it. */
export interface News {
  readonly message: string;
  readonly odd?: { readonly what: string; readonly became: string; readonly example?: string };
}

/** What workers do that they should not, in the words of a run's summary. */
const ODD = {
  late: ['a worker answered what was no longer wanted', 'not used'],
  twice: ['a worker answered what was answered already', 'not used'],
  rubbish: ['a message of a worker could not be understood', 'not used; what it was to answer is done again'],
  stranger: ['an answer came from a worker that was not accepted', 'not used'],
  refused: ['a worker was refused', 'its answers are not used'],
  silent: ['a worker became silent', 'what it had is given to others'],
  failed: ['a worker could not do a batch', 'divided, and each half done by itself'],
  differs: ['a worker could not use a picture that this computer can', 'this computer did it'],
  lost: ['Redis lost jobs', 'put in again'],
  gone: ['Redis could not be reached', 'the threads of this computer continue without it'],
  taken: ['another dataset uses this Redis', 'the threads of this computer continue without it'],
} as const;

export type Oddness = keyof typeof ODD;

export function odd(kind: Oddness, message: string, example?: string): News {
  const [what, became] = ODD[kind];
  return {
    message: `${message}: ${became}.`,
    odd: { what, became, ...(example !== undefined && { example }) },
  };
}
