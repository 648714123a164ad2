# METADATA
# scope: subpackages
# title: Sub
package p
