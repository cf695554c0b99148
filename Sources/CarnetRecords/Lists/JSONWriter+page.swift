package import CarnetService
package import StrictEncoding

extension JSONWriter {
    /// An answer with a page of a list: the elements, and `next` where there are more.
    package static func page<Element>(
        _ name: StaticString, _ page: Page<Element>, _ write: (inout JSONWriter, Element) -> Void
    ) -> ServiceResponse {
        .json(
            JSONWriter.object { writer in
                writer.array(name) { writer in
                    for element in page.elements { writer.object { write(&$0, element) } }
                }
                if let next = page.next { writer.string("next", next) }
            })
    }
}
