use oauth_runtime::Builder;
use oauth_runtime::states::WithReload;

pub fn staying(base: Builder) -> Builder<WithReload> {
    base.scope("notes:read", "Read your notes")
}

fn main() {}
