import COpenSSL

extension EllipticCurve {
    /// An EVP_PKEY that has the curve's group and no key: a copy of it takes a point.
    func template() throws(CryptographyError) -> OpaquePointer {
        guard let template = Self.templates[self]?.pointer else {
            throw .openSSL(.operationFailed, "the parameters of \(groupName)")
        }
        return template
    }

    /// Made once; never written or freed.
    private struct Template: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    private static let templates: [EllipticCurve: Template] = {
        var templates: [EllipticCurve: Template] = [:]
        for curve in allCases { templates[curve] = makeTemplate(curve) }
        return templates
    }()

    private static func makeTemplate(_ curve: EllipticCurve) -> Template? {
        let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        let name = UnsafeRawPointer(curve.groupName.utf8Start).assumingMemoryBound(to: CChar.self)
        var key: OpaquePointer?
        guard EVP_PKEY_paramgen_init(context) == 1, EVP_PKEY_CTX_set_group_name(context, name) == 1,
            EVP_PKEY_paramgen(context, &key) == 1
        else { return nil }
        return key.map(Template.init)
    }
}
