/** Text as HTML. */
export const escaped = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (sign) => `&#${String(sign.codePointAt(0))};`);

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:22rem;margin:4rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
label{display:block;margin:1rem 0}input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.5rem}
button{font:inherit;padding:.5rem 1rem}code{font-size:1.5rem}.fault{color:#a40000}
@media (prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}.fault{color:#ff8a8a}}`;

/** A page of the provider; nothing of it comes from elsewhere. */
export const page = (title: string, content: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1>${content}</main></body>
</html>`;

/** The page on which somebody says who they are. */
export const signInPage = (action: string, email: string, fault?: string): string =>
  page(
    'Sign in',
    `${fault === undefined ? '' : `<p class="fault" role="alert">${escaped(fault)}</p>`}
<form method="post" action="${escaped(action)}" autocomplete="on">
<label>E-mail <input type="email" name="email" value="${escaped(email)}" autocomplete="username" required autofocus></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>
<p>Development only: everybody's password is in passwords.json in the data folder.</p>`,
  );

/** Asks whether a client that nobody here has registered may act for the person. */
export const consentPage = (action: string, client: string, where: string, itself = false): string =>
  page(
    'Allow access',
    `<p><strong>${escaped(client)}</strong> (${escaped(where)}) asks to act ${itself ? 'as you, and decides what you can decide' : 'for you'}.</p>
<form method="post" action="${escaped(action)}"><button name="answer" value="yes">Allow</button>
<button name="answer" value="no">Refuse</button></form>`,
  );
