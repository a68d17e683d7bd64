import test from 'ava';

import { desktopSuite } from '../../support/identity/desktop-suite.ts';
import { developmentProvider } from '../../support/identity/provider.ts';

desktopSuite(test, developmentProvider);
