use super::*;

#[test]
fn prose_is_escaped_before_it_is_marked_up() {
    assert_eq!(inline("a `b` & **c** <d>"), "a <code>b</code> &amp; <strong>c</strong> &lt;d&gt;");
    assert_eq!(inline("an ` alone"), "an ` alone");
    assert_eq!(paragraphs(&"one\n\n two ".into()), ["one", "two"]);
}

#[test]
fn every_operation_has_an_example_of_its_body() {
    for (path, method, operation) in all(openapi::get()) {
        let call = curl(path, method, operation);
        let has_body = operation.get("requestBody").is_some();
        assert_eq!(has_body, call.contains(" '"), "{method} {path}: {call}");
        assert!(!call.contains('{') || has_body, "no gap is left in {call}");
    }
}
