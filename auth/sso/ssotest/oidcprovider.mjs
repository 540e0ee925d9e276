// Starts an identity provider with sign-in pages for tests. The environment says
// which module makes it, where it listens, and whom it knows.
const { default: Provider } = await import(process.env.OIDC_PROVIDER);
const { issuer, clients, users } = JSON.parse(process.env.SETTINGS);

const provider = new Provider(issuer, {
  clients,
  claims: { openid: ['sub'], profile: ['preferred_username', 'name'], email: ['email'] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_, id) => users[id] && { accountId: id, claims: () => ({ sub: id, ...users[id] }) },
  cookies: { keys: ['of a test'] },
});
provider.on('server_error', (_, error) => console.error(error));
provider.listen(new URL(issuer).port, '127.0.0.1');
