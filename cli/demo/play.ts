import type { Cast } from './cast.ts';
import { Checks } from './checks.ts';
import { SCENARIOS } from './scenarios/index.ts';
import type { ScenarioName } from './scenarios/index.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';
import { Timeline } from './timeline.ts';

/** How to play. */
export interface PlayOptions extends Pick<StageOptions, 'onStep'> {
  readonly say?: (line: string) => void;
  /** What was checked before; new ones are added to it. */
  readonly checks?: Checks;
}

/** Plays scenarios one after another; answers everything that was checked. One that breaks off is a failed check. */
export async function play(
  cast: Cast,
  scenarios: readonly ScenarioName[],
  { say, checks = new Checks(), ...options }: PlayOptions = {},
): Promise<Checks> {
  const timeline = new Timeline(say);
  for (const scenario of scenarios) {
    timeline.title(SCENARIOS[scenario].title);
    const stage = new Stage({ ...options, scenario, cast, timeline, checks });
    try {
      await SCENARIOS[scenario].play(stage);
    } catch (error) {
      stage.check('TASK-7', 'the scenario was played to its end', false, String(error));
    }
  }
  return checks;
}
