import { z } from 'zod';

import type { Database } from '../../db/embedded/roles.ts';

/** The servers that `npm test` starts once for all integration and end-to-end tests. */
export interface TestServers {
  /** An empty Postgres; tests make databases of their own on it with `createDatabase`. */
  readonly postgres: Database & { readonly superuserUrl: string };
  /** A Temporal development server whose namespace has the product's search attributes. */
  readonly temporal: { readonly address: string; readonly namespace: string };
  /** File of the workflows, bundled once. */
  readonly workflowBundle: string;
}

const Variables = z.object({
  SWITCHBOARD_TEST_POSTGRES: z.string(),
  SWITCHBOARD_TEST_POSTGRES_OWNER: z.string(),
  SWITCHBOARD_TEST_POSTGRES_APP: z.string(),
  SWITCHBOARD_TEST_TEMPORAL: z.string(),
  SWITCHBOARD_TEST_NAMESPACE: z.string(),
  SWITCHBOARD_TEST_BUNDLE: z.string(),
});

/** The environment variables that tell a test process where the servers are. */
export const environmentOf = ({ postgres, temporal, workflowBundle }: TestServers): z.infer<typeof Variables> => ({
  SWITCHBOARD_TEST_POSTGRES: postgres.superuserUrl,
  SWITCHBOARD_TEST_POSTGRES_OWNER: postgres.ownerUrl,
  SWITCHBOARD_TEST_POSTGRES_APP: postgres.appUrl,
  SWITCHBOARD_TEST_TEMPORAL: temporal.address,
  SWITCHBOARD_TEST_NAMESPACE: temporal.namespace,
  SWITCHBOARD_TEST_BUNDLE: workflowBundle,
});

/** Where the servers are; throws one line that says how to run the test where nobody started them. */
export function testServers(env: NodeJS.ProcessEnv = process.env): TestServers {
  const parsed = Variables.safeParse(env);
  if (!parsed.success) {
    const missing = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new Error(`${missing} not set: run this test with "npm test -- <file>", which starts the servers it needs.`);
  }
  const values = parsed.data;
  return {
    postgres: {
      superuserUrl: values.SWITCHBOARD_TEST_POSTGRES,
      ownerUrl: values.SWITCHBOARD_TEST_POSTGRES_OWNER,
      appUrl: values.SWITCHBOARD_TEST_POSTGRES_APP,
    },
    temporal: { address: values.SWITCHBOARD_TEST_TEMPORAL, namespace: values.SWITCHBOARD_TEST_NAMESPACE },
    workflowBundle: values.SWITCHBOARD_TEST_BUNDLE,
  };
}
