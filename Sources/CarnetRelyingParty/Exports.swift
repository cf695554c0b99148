// One import is enough for a relying party: the claims, keys and requests of the SDK's own signatures come with it.
@_exported public import CarnetResult
