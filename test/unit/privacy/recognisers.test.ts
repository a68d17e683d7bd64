import test from 'ava';

import { detect } from '../../../privacy/detect.ts';

const found = (text: string): string[] => detect(text).map(({ type, value }) => `${type} ${value}`);

const MATCHES: Readonly<Record<string, readonly string[]>> = {
  'Write to ada@example.com.': ['email ada@example.com'],
  '<mailto:Ada.L+tax@Mail.example.co.uk>': ['email Ada.L+tax@Mail.example.co.uk'],
  'ünal@exämple.de, j@xn--bcher-kva.example': ['email ünal@exämple.de', 'email j@xn--bcher-kva.example'],
  "'bob@example.com'/eve@example.org-": ['email bob@example.com', 'email eve@example.org'],
  'Call +1 415 555 2671 or (415) 555-2672.': ['phone +1 415 555 2671', 'phone (415) 555-2672'],
  'London +442079460958; test line 555-123-4567': ['phone +442079460958', 'phone 555-123-4567'],
  'Card 4111 1111 1111 1111, amex 378282246310005': ['card 4111 1111 1111 1111', 'card 378282246310005'],
  '5555-5555-5555-4444 2027': ['card 5555-5555-5555-4444'],
  'IBAN DE89 3704 0044 0532 0130 00 and GB29NWBK60161331926819': [
    'iban DE89 3704 0044 0532 0130 00',
    'iban GB29NWBK60161331926819',
  ],
  'ab12 and de89370400440532013000': ['iban de89370400440532013000'],
  'SSN 536-22-8145 or 536 22 8145': ['ssn 536-22-8145', 'ssn 536 22 8145'],
};

const LOOKALIKES: readonly string[] = [
  'amount 125000 or 1,250,000.00 or $2 125 000 000 or 1 000 000',
  'on 2025-01-15 at 10:30, 12/03/2025 10:30:00, 2025 01 15 1030',
  'task_0190b5c4-1234-7abc-8def-0123456789ab 550e8400-e29b-41d4-a716-446655440000',
  'epoch 1736899200000, 1736899200000000',
  'invoice 2025-000-1234, PO 4155552671, 192.168.100.200',
  'bob@localhost a.@example @ada user@',
  'card 4111 1111 1111 1112',
  'DE89 3704 0044 0532 0130 01',
  '000-12-3456 666-12-3456 912-12-3456 536-00-8145 536-22-0000 536-228145',
];

for (const [text, expected] of Object.entries(MATCHES)) {
  test(`GUARD-1: finds values in: ${text}`, (t) => {
    t.deepEqual(found(text), [...expected]);
  });
}

for (const text of LOOKALIKES) {
  test(`GUARD-1: finds nothing in: ${text}`, (t) => {
    t.deepEqual(found(text), []);
  });
}

test('GUARD-1: of matches that overlap the checked wins', (t) => {
  t.deepEqual(found('4111 1111 1111 1111@example.com'), ['card 4111 1111 1111 1111']);
});

const HOSTILE = [
  'a',
  '@',
  'a@',
  'a@a.',
  '@a.a',
  '1',
  '1 ',
  '1-',
  '(1',
  '+1 ',
  '4111 ',
  '415-',
  'AA11 ',
  'DE89 3704 ',
  '123-45-',
  '415 555 2671 x',
];

for (const piece of HOSTILE) {
  test(`GUARD-1: 100 KB of ${JSON.stringify(piece)} take no time`, (t) => {
    const text = `${piece.repeat(Math.ceil(100_000 / piece.length))}@`;
    const started = performance.now();
    detect(text);
    t.true(performance.now() - started < 3_000);
  });
}
