/** What an operator has registered in the tenant: one application and whom it trusts. */
export interface Directory {
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly federatedCredentials: readonly FederatedCredential[];
  readonly resources: readonly string[];
}

/**
 * Entra compares the three with the federated token's claims exactly, trailing slash and case
 * included.
 */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

/** Who the workload is, on both sides of the federation. */
export interface WorkloadIdentity extends FederatedCredential {
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
}

export const defaultIdentity: WorkloadIdentity = {
  tenantId: '8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690',
  clientId: '2b9d7e14-53af-4c68-8e01-7a6c90f4d2b3',
  objectId: 'c41f08d6-972b-4e35-b1da-60583ce9a7f2',
  issuer:
    'https://westeurope.oic.prod-aks.azure.com' +
    '/8f3c1a52-6d0e-4b7a-9c25-41e07fd3b690/5e7a0c39-b824-4f16-a3d9-08c2b61fe457/',
  subject: 'system:serviceaccount:shop:legacy-app',
  audience: 'api://AzureADTokenExchange',
};

export const defaultResource = 'https://ossrdbms-aad.database.windows.net';
