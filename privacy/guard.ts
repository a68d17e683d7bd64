import type { MaskCounts } from '../contracts/content.ts';
import type { Json } from '../contracts/json.ts';
import type { EntityType } from '../contracts/principal.ts';
import { detect } from './detect.ts';
import { mapStrings, stringsOf } from './json-strings.ts';
import { findPseudonyms, replacePseudonyms } from './pseudonyms.ts';
import type { Span } from './recognisers/recogniser.ts';
import { createVault, nameKey } from './vault.ts';
import type { VaultOptions } from './vault.ts';

/** A value without personal data, and how many values of each type were replaced. */
export interface Masked {
  readonly value: Json;
  readonly found: MaskCounts;
}

/** Replaces personal values by pseudonyms, and back for those who may see them. */
export interface Guard {
  /** Masks every string and key. Numbers stay. Masking again changes nothing. */
  mask(organisationId: string, value: Json): Promise<Masked>;
  /** Restores values of cleared types exactly as they were; unknown and damaged pseudonyms stay. */
  unmask(organisationId: string, value: Json, clearance: readonly EntityType[]): Promise<Json>;
  /** How many undamaged pseudonyms of each type a value holds. */
  count(value: Json): MaskCounts;
}

function tally(counts: MaskCounts, spans: readonly Span[]): void {
  for (const { type } of spans) counts[type] = (counts[type] ?? 0) + 1;
}

function replaceSpans(text: string, spans: readonly Span[], names: ReadonlyMap<string, string>): string {
  let end = 0;
  let masked = '';
  for (const span of spans) {
    masked += text.slice(end, span.start) + (names.get(nameKey(span)) ?? '');
    end = span.end;
  }
  return masked + text.slice(end);
}

/** Makes the guard of all organisations over one store. */
export function createGuard(options: VaultOptions): Guard {
  const vault = createVault(options);
  return {
    async mask(organisationId, value) {
      const spansOf = new Map([...stringsOf(value)].map((text) => [text, detect(text)]));
      const names = await vault.name(organisationId, [...spansOf.values()].flat());
      const found: MaskCounts = {};
      const masked = mapStrings(value, (text) => {
        const spans = spansOf.get(text) ?? [];
        tally(found, spans);
        return replaceSpans(text, spans, names);
      });
      return { value: masked, found };
    },

    async unmask(organisationId, value, clearance) {
      const cleared = new Set(clearance);
      const spans = [...stringsOf(value)].flatMap(findPseudonyms).filter(({ type }) => cleared.has(type));
      const values = await vault.resolve(organisationId, [...new Set(spans.map((span) => span.value))]);
      return mapStrings(value, (text) =>
        replacePseudonyms(text, (pseudonym, type) =>
          cleared.has(type) ? (values.get(pseudonym) ?? pseudonym) : pseudonym,
        ),
      );
    },

    count(value) {
      const counts: MaskCounts = {};
      mapStrings(value, (text) => {
        tally(counts, findPseudonyms(text));
        return text;
      });
      return counts;
    },
  };
}
