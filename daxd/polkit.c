/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "polkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bus-tree.h"

#define PATIENCE_USEC UINT64_C(600000000) /* somebody may have to find a password */
#define NAMES_SHOWN 10

void request_free(struct request *request)
{
	if (!request)
		return;
	bus_caller_clear(&request->caller);
	config_free(request->config);
	report_clear(&request->mistakes);
	free(request);
}

/* The caller learns no more than that it may not. */
static void deny(struct request *request, const char *name)
{
	(void)sd_bus_reply_method_errorf(request->caller.message, name,
					 "Not authorised for %s.",
					 request->actions[request->action] ?
						 request->actions[request->action] :
						 "this");
	request_free(request);
}

static void allow(struct request *request)
{
	request->authorized(request);
	request_free(request);
}

static char *list_volumes(const struct config *config)
{
	struct text text = { 0 };

	text_add(&text, "%s", "");
	for (size_t i = 0; config && i < config->n_volumes && i < NAMES_SHOWN; i++)
		text_add(&text, "%s%s", i ? ", " : "", config->volumes[i].name);
	if (config && config->n_volumes > NAMES_SHOWN)
		text_add(&text, " and %zu more", config->n_volumes - NAMES_SHOWN);
	return text_finish(&text);
}

static int ask_polkit(struct request *request);

static int on_polkit(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct request *request = userdata;
	int allowed = false, challenge = false, r;

	(void)error;
	request->caller.slot = sd_bus_slot_unref(request->caller.slot);
	if (sd_bus_message_is_method_error(reply, NULL)) {
		deny(request, SD_BUS_ERROR_ACCESS_DENIED); /* nobody there to say yes */
		return 1;
	}
	r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
	if (r >= 0)
		r = sd_bus_message_read(reply, "bb", &allowed, &challenge);
	if (r < 0 || !allowed) {
		deny(request, r >= 0 && challenge ? SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED :
						    SD_BUS_ERROR_ACCESS_DENIED);
		return 1;
	}
	if (request->actions[++request->action])
		r = ask_polkit(request);
	else
		allow(request);
	if (r < 0)
		deny(request, SD_BUS_ERROR_FAILED);
	return 1;
}

static int ask_polkit(struct request *request)
{
	sd_bus_message *message = request->caller.message;
	sd_bus *connection = sd_bus_message_get_bus(message);
	_cleanup_(freep) char *volumes = list_volumes(request->config);
	sd_bus_message *question = NULL;
	unsigned int interactive;
	int r;

	if (!volumes)
		return -ENOMEM;
	interactive = sd_bus_message_get_allow_interactive_authorization(message) > 0;
	r = sd_bus_message_new_method_call(connection, &question, "org.freedesktop.PolicyKit1",
					   "/org/freedesktop/PolicyKit1/Authority",
					   "org.freedesktop.PolicyKit1.Authority",
					   "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(question, "(sa{sv})sa{ss}us", "system-bus-name", 1,
					  "name", "s", sd_bus_message_get_sender(message),
					  request->actions[request->action], 2, "operation",
					  job_operation_word(request->operation), "volumes",
					  volumes, interactive, "");
	if (r >= 0)
		r = sd_bus_call_async(connection, &request->caller.slot, question, on_polkit,
				      request, PATIENCE_USEC);
	(void)sd_bus_message_unref(question);
	return r;
}

/* Who has to find a password may take long, and others have to do with him no more than that. */
static void on_caller(struct bus_caller *caller)
{
	struct request *request = (struct request *)caller;

	if (caller->uid == 0 || caller->uid == request->owner) {
		allow(request);
	} else if (bus_caller_is_one_too_many(caller)) {
		(void)sd_bus_reply_method_errorf(caller->message, SD_BUS_ERROR_LIMITS_EXCEEDED,
						 "Too many of your calls wait to be allowed.");
		request_free(request);
	} else if (ask_polkit(request) < 0) {
		deny(request, SD_BUS_ERROR_FAILED);
	}
}

static void free_caller(struct bus_caller *caller)
{
	request_free((struct request *)caller);
}

struct request *request_new(struct bus *bus, sd_bus_message *message,
			    void (*authorized)(struct request *request))
{
	struct request *request = calloc(1, sizeof(*request));

	if (request)
		*request = (struct request){
			.caller = {
				.bus = bus,
				.message = sd_bus_message_ref(message),
				.wants = BUS_CHANGE,
				.found = on_caller,
				.free = free_caller,
			},
			.authorized = authorized,
		};
	return request;
}

int polkit_check(struct request *request, sd_bus_error *error)
{
	int r = bus_caller_find(&request->caller, error);

	if (r < 0)
		request_free(request);
	return r < 0 ? r : 1;
}
