/** Keycloak's administration over REST (https://www.keycloak.org/docs-api/latest/rest-api/). */
export class KeycloakAdmin {
  private readonly url: string;
  private readonly password: string;
  private token = '';
  private until = 0;

  private constructor(url: string, password: string) {
    this.url = url;
    this.password = password;
  }

  static async signIn(url: string, password: string): Promise<KeycloakAdmin> {
    const admin = new KeycloakAdmin(url, password);
    await admin.renew();
    return admin;
  }

  /** Creates something; answers its id. */
  async create(path: string, body: object): Promise<string> {
    const response = await this.send('POST', path, body);
    return response.headers.get('location')?.split('/').at(-1) ?? '';
  }

  async put(path: string): Promise<void> {
    await this.send('PUT', path);
  }

  private async send(method: string, path: string, body?: object): Promise<Response> {
    if (Date.now() > this.until) await this.renew();
    const response = await fetch(`${this.url}/admin/realms${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`Keycloak: ${method} ${path}: ${String(response.status)} ${await response.text()}`);
    return response;
  }

  private async renew(): Promise<void> {
    const response = await fetch(`${this.url}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'password',
        client_id: 'admin-cli',
        username: 'admin',
        password: this.password,
      }),
    });
    const answer = (await response.json()) as { access_token?: string; expires_in?: number };
    if (answer.access_token === undefined) throw new Error(`Keycloak: no token: ${JSON.stringify(answer)}`);
    this.token = answer.access_token;
    this.until = Date.now() + ((answer.expires_in ?? 60) - 20) * 1_000;
  }
}
