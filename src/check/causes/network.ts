import { failure } from '../../support/failure.ts';

export const httpProxyUnreachable = failure<'problem'>(
  'http-proxy-unreachable',
  'entra.unreachable',
  ({ problem }) => ({
    found: `the HTTP proxy ${problem}`,
    remedy:
      'Check HTTPS_PROXY and let the pod reach the proxy that it names; NO_PROXY exempts hosts that need none.',
  }),
);

export const httpProxyUntrusted = failure<'problem'>(
  'http-proxy-untrusted',
  'entra.untrusted',
  ({ problem }) => ({
    found: `the HTTP proxy ${problem}`,
    remedy:
      'Check that HTTPS_PROXY names the proxy as its certificate does; if a CA of your own signed that, name the CA with --ca-file.',
  }),
);

export const httpProxySilent = failure<'proxy' | 'host' | 'seconds'>(
  'http-proxy-silent',
  'entra.timeout',
  ({ proxy, host, seconds }) => ({
    found: `the HTTP proxy ${proxy} brought no connection to ${host} about within ${seconds} s`,
    remedy: `Let the proxy of HTTPS_PROXY connect to ${host}; NO_PROXY exempts hosts that need none, and --request-timeout allows more time.`,
  }),
);

export const dnsSilent = failure<'host' | 'seconds'>(
  'dns-silent',
  'entra.timeout',
  ({ host, seconds }) => ({
    found: `the name ${host} was not resolved within ${seconds} s`,
    remedy:
      "Let the pod reach the cluster's DNS (in a NetworkPolicy: egress to port 53, UDP and TCP), and see that it answers.",
  }),
);

export const connectSilent = failure<'host' | 'seconds' | 'addresses'>(
  'connect-silent',
  'entra.timeout',
  ({ host, seconds, addresses }) => ({
    found: `no connection to ${host} came about within ${seconds} s (${addresses})`,
    remedy: `Allow egress from the pod to ${host} (NetworkPolicy, network security group, firewall), or more time with --request-timeout.`,
  }),
);

export const tlsSilent = failure<'host' | 'where' | 'seconds'>(
  'tls-silent',
  'entra.timeout',
  ({ host, where, seconds }) => ({
    found: `${host} takes connections ${where}, but completed no TLS handshake within ${seconds} s`,
    remedy:
      'See what is in between: a firewall or proxy may let the connection through and nothing else, or drop a ClientHello that takes more than one packet (docs/settings.md says how to send a smaller one). --request-timeout allows more time.',
  }),
);
