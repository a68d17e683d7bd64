/** The parts of an npm lock file that tell whether an installation belongs to it. */
interface LockFile {
  packages: Record<string, { version?: string; integrity?: string; dev?: boolean; optional?: boolean }>;
}

/** One line why this machine's Node cannot even install the right one; undefined where it can. */
export function nodeFault(version: string): string | undefined;
/** What an installation is made from: the lock file and the platform its binaries are for. */
export function installationStamp(lockText: string): string;
/** Whether what npm says it installed (its hidden lock file) is what the lock file asks for. */
export function sameInstallation(lock: LockFile, installed: LockFile): boolean;
/** Whether node_modules is complete and belongs to the present lock file. */
export function isInstalled(root: string): boolean;
/** Waits for the lock folder, which says which process installs; answers a function that gives it back. */
export function takeLock(folder: string, say: (line: string) => void, pollMs?: number): Promise<() => void>;
