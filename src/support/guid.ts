/** As Entra writes the ids of tenants, clients, objects and requests. */
export const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
