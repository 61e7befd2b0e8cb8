use super::*;

#[test]
fn passwords_are_long_and_not_among_the_first_to_be_guessed() {
    let own = ["ann.miller@acme.example", "acme"];
    for (password, expected) in [
        ("correct horse battery staple", Ok(())),
        ("correct horse battery", Ok(())),
        ("süße Grüße aus Köln", Ok(())),
        ("violet-anchor-92-lamp", Ok(())),
        ("short pass", Err(PasswordRule::Length)),
        (&"long enough ".repeat(11), Err(PasswordRule::Length)),
        ("tab\tand more words", Err(PasswordRule::Control)),
        ("password1234", Err(PasswordRule::Guessable)),
        ("qwertyuiop[]", Err(PasswordRule::Guessable)),
        ("aaaaaaaaaaaaaaaa", Err(PasswordRule::Guessable)),
        ("123456789012345", Err(PasswordRule::Guessable)),
        ("iloveyou1984", Err(PasswordRule::Guessable)),
        ("ann.miller@acme.example", Err(PasswordRule::Guessable)),
    ] {
        assert_eq!(check_password(password, &own), expected, "{password}");
    }
}
