package import ServiceLifecycle

/// A service that looks at its TLS certificate when it is told to.
package protocol CertifiedService: Service {
    /// Looks at once whether the certificate's files have changed.
    func lookAtCertificate()
}
