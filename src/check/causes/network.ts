import { cause } from '../../support/cause.ts';

export const httpProxyUnreachable = cause(
  'http-proxy-unreachable',
  'entra.unreachable',
  'the HTTP proxy {problem}',
  'Check HTTPS_PROXY and let the pod reach the proxy that it names; NO_PROXY exempts hosts that need none.',
);

export const httpProxyUntrusted = cause(
  'http-proxy-untrusted',
  'entra.untrusted',
  'the HTTP proxy {problem}',
  'Check that HTTPS_PROXY names the proxy as its certificate does; if a CA of your own signed that, name the CA with --ca-file.',
);

export const httpProxySilent = cause(
  'http-proxy-silent',
  'entra.timeout',
  'the HTTP proxy {proxy} brought no connection to {host} about within {seconds} s',
  'Let the proxy of HTTPS_PROXY connect to {host}; NO_PROXY exempts hosts that need none, and --request-timeout allows more time.',
);

export const dnsSilent = cause(
  'dns-silent',
  'entra.timeout',
  'the name {host} was not resolved within {seconds} s',
  "Let the pod reach the cluster's DNS (in a NetworkPolicy: egress to port 53, UDP and TCP), and see that it answers.",
);

export const connectSilent = cause(
  'connect-silent',
  'entra.timeout',
  'no connection to {host} came about within {seconds} s ({addresses})',
  'Allow egress from the pod to {host} (NetworkPolicy, network security group, firewall), or more time with --request-timeout.',
);

export const tlsSilent = cause(
  'tls-silent',
  'entra.timeout',
  '{host} takes connections {where}, but completed no TLS handshake within {seconds} s',
  'See what is in between: a firewall or proxy may let the connection through and nothing else, or drop a ClientHello that takes more than one packet (docs/settings.md says how to send a smaller one). --request-timeout allows more time.',
);
