/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/size.h"
#include "core/error-json.h"

/* COLUMNS wins, as it does for ps and ls: it is how a script asks for a width. */
static unsigned int find_width(FILE *out)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t n;

	if (columns && size_parse(columns, &n) == 0 && n > 0 && n <= INT_MAX)
		return (unsigned int)n;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 0;
}

void cli_init(struct cli *cli, FILE *out, FILE *err)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	bool colour = !(no_colour && *no_colour) && !(term && strcmp(term, "dumb") == 0);

	*cli = (struct cli){ .out = out, .err = err, .exit = -1 };
	cli->out_terminal = isatty(fileno(out));
	cli->colour_out = colour && cli->out_terminal;
	cli->colour_err = colour && isatty(fileno(err));
	cli->width = find_width(out);
}

void cli_clear(struct cli *cli)
{
	report_clear(&cli->problems);
}

void cli_print_heading(const struct cli *cli, const char *text)
{
	(void)fprintf(cli->out, cli->colour_out ? "\033[1m%s\033[0m\n" : "%s\n", text);
}

enum cli_exit cli_print_json(struct cli *cli, char *text)
{
	_cleanup_(freep) char *json = text;

	if (!json) {
		problem_add(&cli->problems, ENOMEM, NULL, "There is no memory left.");
		return CLI_FAILED;
	}
	cli->json_printed = true;
	(void)fputs(json, cli->out);
	(void)fputc('\n', cli->out);
	return CLI_DONE;
}

enum cli_exit cli_exit_of(int code)
{
	return code == EPERM || code == EACCES ? CLI_NOT_PERMITTED : CLI_FAILED;
}

/*
 * A reader that went away (| head) has seen what it wanted.  Which write told so first is no
 * longer known; a pipe that nobody reads is.
 */
static bool reader_is_gone(FILE *out)
{
	struct pollfd pipe = { .fd = fileno(out) };
	int was = errno, n = poll(&pipe, 1, 0);

	errno = was;
	return n > 0 && pipe.revents & POLLERR;
}

enum cli_exit cli_finish(struct cli *cli, enum cli_exit status)
{
	if (cli->json && cli->problems.n && (cli->json_lines || !cli->json_printed))
		(void)cli_print_json(cli, report_to_json(&cli->problems));
	errno = 0;
	if ((fflush(cli->out) != 0 || ferror(cli->out)) && !reader_is_gone(cli->out)) {
		int code = errno ? errno : EIO;

		problem_add(&cli->problems, code, NULL, "Cannot write the output: %s.",
			    strerror(code));
		status = status == CLI_DONE ? CLI_FAILED : status;
		if (cli->exit == 0)
			cli->exit = -code & 0xff; /* daxctl's success would be none */
	}
	problems_print(&cli->problems, cli->err, cli->colour_err);
	(void)fflush(cli->err); /* there is nowhere left to complain */
	return status;
}
