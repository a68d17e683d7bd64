import type { Response } from 'express';

/** Resolves when a slow reader has taken what was written, or is gone. */
export const drained = (res: Response): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.once('drain', done).once('close', done);
  });
