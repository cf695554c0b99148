// Whoever reads a policy needs no other import for why it is none.
@_exported public import PolicyDocument
