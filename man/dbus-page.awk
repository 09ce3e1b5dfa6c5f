# SPDX-License-Identifier: GPL-2.0-or-later
# From the D-Bus interface of record to its manual page: each comment is about what comes next.
function flush_comment() {
	if (comment == "")
		return
	gsub(/[ \t\n]+/, " ", comment)
	gsub(/ ?\001 ?/, "\n.Pp\n", comment) # an empty line
	sub(/^ /, "", comment)
	sub(/ $/, "", comment)
	gsub(/ -json/, " --json", comment) # a comment of XML has no two hyphens
	gsub(/\. /, ".\n", comment)
	print comment
	comment = ""
}
function value(name,   text) {
	if (!match($0, name "=\"[^\"]*\""))
		return ""
	text = substr($0, RSTART + length(name) + 2, RLENGTH - length(name) - 3)
	return text
}
function end_member() {
	if (member == "")
		return
	print ".It " kind " Li \"" member "(" args ")" (out == "" ? "" : " -> (" out ")") "\""
	member = ""
	flush_comment()
}
BEGIN {
	print ".\\\" SPDX-License-Identifier: GPL-2.0-or-later"
	print ".\\\" Made from daxd/org.daxd1.xml."
	print ".Dd November 21, 2026\n.Dt ORG.DAXD1 5\n.Os\n.Sh NAME\n.Nm org.daxd1"
	print ".Nd the D-Bus interface of daxd\n.Sh DESCRIPTION"
}
/<!--/ {
	in_comment = 1
	sub(/.*<!-- */, "")
}
in_comment {
	text = $0
	if (text ~ /-->/) {
		sub(/ *-->.*/, "", text)
		in_comment = 0
	}
	if (in_comment && comment != "" && text ~ /^[ \t]*$/)
		text = "\001"
	if (text !~ /SPDX/)
		comment = comment " " text
	next
}
/<node/ {
	if (value("name") == "/org/daxd1") {
		flush_comment()
	} else {
		path = comment
		comment = ""
	}
}
/<interface/ {
	if (value("name") ~ /freedesktop/)
		next
	print ".Ss " value("name")
	if (path != "") {
		sub(/^ /, "", path)
		print "Objects " path "."
	}
	path = ""
	print ".Bl -tag -width Ds"
}
/<\/interface/ { print ".El" }
/<(method|signal)/ {
	kind = /<method/ ? "method" : "signal"
	member = value("name")
	args = out = ""
}
/<arg/ {
	text = value("type") " " value("name")
	if (value("direction") == "out")
		out = out (out == "" ? "" : ", ") text
	else
		args = args (args == "" ? "" : ", ") text
}
/<\/(method|signal)/ { end_member() }
/<property/ {
	print ".It property Li \"" value("name") " " value("type") "\""
	flush_comment()
}
END {
	print ".Sh SEE ALSO\n.Xr busctl 1 ,\n.Xr daxctl-ext 1 ,\n.Xr daxd-config 5 ,\n.Xr daxd 8"
}
