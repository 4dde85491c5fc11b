//! Where programs find libtorch at run time: beside themselves once installed, in the checkout before. `kellgrend-decode` needs none.

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let checkout = std::env::var("LIBTORCH").ok().map(|libtorch| format!("{libtorch}/lib"));
    for place in ["$ORIGIN/../lib/kellgrend/torch/lib".to_owned()].into_iter().chain(checkout) {
        for program in ["bin=kellgrend=", "tests=", "benches="] {
            println!("cargo:rustc-link-arg-{program}-Wl,-rpath,{place}");
        }
    }
}
