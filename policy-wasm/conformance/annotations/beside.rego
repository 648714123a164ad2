# METADATA
# scope: subpackages
# title: Sub2
package p.q
# METADATA
# authors: [" <a@b>", "a <b c> d"]
k := rego.metadata.chain()
