import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import type { Principal } from '../../../contracts/principal.ts';
import { authorise } from '../../../policy/authorise.ts';
import { loadBase, POLICY_FOLDER, PolicyFaults, readBase } from '../../../policy/base.ts';
import { followBase } from '../../../policy/reload.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'switchboard-policy-'));
test.after.always(() => {
  rmSync(scratch, { recursive: true });
});

/** A copy of the release's policies. */
function copy(): string {
  const folder = mkdtempSync(path.join(scratch, 'case-'));
  cpSync(path.join(POLICY_FOLDER, 'schema.cedarschema'), path.join(folder, 'schema.cedarschema'));
  cpSync(path.join(POLICY_FOLDER, 'policies'), path.join(folder, 'policies'), { recursive: true });
  return folder;
}

function change(folder: string, file: string, from: string | RegExp, to: string): void {
  const target = path.join(folder, file);
  writeFileSync(target, readFileSync(target, 'utf8').replace(from, to));
}

function faultsWith(file: string, from: string | RegExp, to: string): readonly string[] {
  const folder = copy();
  change(folder, file, from, to);
  return faultsOf(folder);
}

function faultsOf(folder: string): readonly string[] {
  try {
    readBase(folder);
    return [];
  } catch (error) {
    if (error instanceof PolicyFaults) return error.faults;
    throw error;
  }
}

test('POL-1: the policies of the release are valid against their schema', (t) => {
  t.deepEqual(faultsOf(copy()), []);
  t.true(readBase(POLICY_FOLDER).policies.length > 30);
});

test('POL-1: a policy that the schema does not allow stops the start, named with its fault', (t) => {
  const wrong = (from: string, to: string) => faultsWith('policies/tasks.cedar', from, to).join('\n');
  t.regex(wrong('resource.assignees', 'resource.asignees'), /assignees-work: .*asignees/);
  t.regex(wrong('resource.target_role == principal.role', 'resource.target_role == 7'), /roles-read-their-queue: /);
  t.regex(wrong('Action::"task:retry"', 'Action::"task:again"'), /task:again/);
  t.regex(wrong('resource has target_role && ', ''), /roles-read-their-queue: .*target_role/);
  t.regex(wrong('@id("assignees-work")\n', ''), /tasks\.cedar: needs an annotation @id/);
  t.regex(wrong('@id("assignees-work")', '@id("senders-cancel")'), /tasks\.cedar: senders-cancel: is there twice/);
  t.regex(wrong('@id("assignees-work")', '@id("people-decide")'), /people-decide: is in another file too/);
  t.regex(
    wrong('when { principal.tags.containsAny(resource.assignees) };', 'when { principal.tags'),
    /tasks\.cedar: line \d+: /,
  );
  t.regex(faultsWith('schema.cedarschema', 'entity User', 'entty User').join(), /schema\.cedarschema: line \d+: /);
});

test('POL-1: every fault is told, not the first alone', (t) => {
  const folder = copy();
  change(folder, 'policies/tasks.cedar', '@id("assignees-work")\n', '');
  change(folder, 'policies/approvals.cedar', 'resource.approvers', 'resource.aprovers');
  const faults = faultsOf(folder);
  t.true(faults.some((fault) => fault.includes('tasks.cedar')));
  t.true(faults.some((fault) => fault.includes('approvers-read')));
});

const user: Principal = {
  organisation_id: 'org',
  kind: 'user',
  id: 'ada',
  name: 'Ada',
  role: 'finance',
  acts_for: null,
  administrator: false,
  clearance: [],
};
const mayReadDirectory = (): boolean =>
  authorise(user, 'directory:read', { kind: 'organisation', organisation_id: 'org' }).allow;

test.serial(
  'POL-1: changed files take effect without restart; what is not valid is told, and the former stay',
  async (t) => {
    const folder = copy();
    const errors: object[] = [];
    const stop = followBase({ info: () => undefined, error: (facts) => void errors.push(facts) }, folder);
    t.teardown(() => {
      stop();
      loadBase();
    });
    const until = async (good: () => boolean): Promise<void> => {
      for (let n = 0; n < 300 && !good(); n += 1) await new Promise((resolve) => setTimeout(resolve, 50));
      t.true(good());
    };
    t.true(mayReadDirectory());
    const rule = /permit \(principal, action == Action::"directory:read", resource\);/;
    change(
      folder,
      'policies/directory.cedar',
      rule,
      'permit (principal is Agent, action == Action::"directory:read", resource);',
    );
    await until(() => !mayReadDirectory());
    change(folder, 'policies/directory.cedar', 'principal is Agent', 'principal is Robot');
    await until(() => errors.length > 0);
    t.false(mayReadDirectory(), 'the former policies stay');
    t.regex(JSON.stringify(errors), /Robot/);
    change(folder, 'policies/directory.cedar', 'principal is Robot', 'principal is User');
    await until(mayReadDirectory);
    change(folder, 'policies/directory.cedar', 'principal is User', 'principal is Agent');
    process.emit('SIGUSR2');
    t.false(mayReadDirectory(), 'SIGUSR2 reads at once');
  },
);

test.serial('POL-1: a start with faulty policies fails', (t) => {
  const folder = copy();
  change(folder, 'policies/tasks.cedar', 'resource.assignees', 'resource.asignees');
  const log = { info: () => undefined, error: () => undefined };
  t.throws(() => followBase(log, folder), { instanceOf: PolicyFaults, message: /Correct these:\n.*asignees/ });
  t.true(mayReadDirectory());
});
