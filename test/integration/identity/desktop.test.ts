import test from 'ava';

import { desktopSuite } from '../../support/identity/desktop-suite.ts';
import { developmentProvider } from '../../support/identity/provider.ts';

// The suite's titles carry the ids: 'IDN-1, IDN-2, MCP-5: desktops and MCP'.
desktopSuite(test, developmentProvider);
