use super::*;

#[test]
fn each_state_has_the_name_of_the_contract_and_only_the_first_two_are_active() {
    let states = [
        (State::Held, "held", true),
        (State::Confirmed, "confirmed", true),
        (State::Fulfilled, "fulfilled", false),
        (State::Cancelled, "cancelled", false),
        (State::Expired, "expired", false),
    ];
    for (state, name, active) in states {
        assert_eq!((state.name(), state.is_active()), (name, active));
    }
}
