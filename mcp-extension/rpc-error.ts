/** A JSON-RPC error that answers no request in particular. */
export interface RpcError {
  readonly jsonrpc: '2.0';
  readonly id: null;
  readonly error: { readonly code: number; readonly message: string };
}

/** Builds a JSON-RPC error for a request that did not get as far as the protocol. */
export const rpcError = (code: number, message: string): RpcError => ({
  jsonrpc: '2.0',
  id: null,
  error: { code, message },
});
