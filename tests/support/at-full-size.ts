/**
 * The long tests have two sizes: what an ordinary run can afford, and that of a proof (`npm run proofs`), whose output is kept in
 * docs/measurements. The smaller one is the same test on less.
 */
export const atFullSize = process.env['MILLRACE_TEST_SIZE'] === 'full';
