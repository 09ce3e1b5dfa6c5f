/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "polkit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bus-tree.h"

#define REQUESTS_MAX 64
#define REQUESTS_OF_SENDER_MAX 4
#define PATIENCE_USEC UINT64_C(600000000) /* somebody may have to find a password */
#define NAMES_SHOWN 10

struct request *request_new(struct bus *bus, sd_bus_message *message,
			    void (*authorized)(struct request *request))
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	*request = (struct request){
		.bus = bus,
		.message = sd_bus_message_ref(message),
		.authorized = authorized,
	};
	return request;
}

void request_free(struct request *request)
{
	if (!request)
		return;
	for (struct request **at = &request->bus->requests; *at; at = &(*at)->next)
		if (*at == request) {
			*at = request->next;
			break;
		}
	(void)sd_bus_slot_unref(request->slot);
	(void)sd_bus_message_unref(request->message);
	config_free(request->config);
	report_clear(&request->mistakes);
	free(request);
}

void polkit_forget(struct bus *bus, const sd_bus *connection)
{
	struct request *next;

	for (struct request *request = bus->requests; request; request = next) {
		next = request->next;
		if (!connection || sd_bus_message_get_bus(request->message) == connection)
			request_free(request);
	}
}

static bool too_many(const struct request *request)
{
	const char *sender = sd_bus_message_get_sender(request->message);
	size_t n = 0, of_sender = 0;

	for (const struct request *other = request->bus->requests; other; other = other->next) {
		const char *name = sd_bus_message_get_sender(other->message);

		n++;
		of_sender += sender && name && strcmp(sender, name) == 0;
	}
	return n >= REQUESTS_MAX || of_sender >= REQUESTS_OF_SENDER_MAX;
}

/* The caller learns no more than that it may not. */
static void deny(struct request *request, const char *name)
{
	(void)sd_bus_reply_method_errorf(request->message, name,
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
	request->slot = sd_bus_slot_unref(request->slot);
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
	sd_bus *connection = sd_bus_message_get_bus(request->message);
	_cleanup_(freep) char *volumes = list_volumes(request->config);
	sd_bus_message *question = NULL;
	unsigned int interactive;
	int r;

	if (!volumes)
		return -ENOMEM;
	interactive = sd_bus_message_get_allow_interactive_authorization(request->message) > 0;
	r = sd_bus_message_new_method_call(connection, &question, "org.freedesktop.PolicyKit1",
					   "/org/freedesktop/PolicyKit1/Authority",
					   "org.freedesktop.PolicyKit1.Authority",
					   "CheckAuthorization");
	if (r >= 0)
		r = sd_bus_message_append(question, "(sa{sv})sa{ss}us", "system-bus-name", 1,
					  "name", "s", sd_bus_message_get_sender(request->message),
					  request->actions[request->action], 2, "operation",
					  job_operation_word(request->operation), "volumes",
					  volumes, interactive, "");
	if (r >= 0)
		r = sd_bus_call_async(connection, &request->slot, question, on_polkit, request,
				      PATIENCE_USEC);
	(void)sd_bus_message_unref(question);
	return r;
}

static int on_uid(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct request *request = userdata;
	uint32_t uid;
	int r;

	(void)error;
	request->slot = sd_bus_slot_unref(request->slot);
	r = sd_bus_message_is_method_error(reply, NULL) ? -EACCES :
							  sd_bus_message_read(reply, "u", &uid);
	if (r < 0) {
		deny(request, SD_BUS_ERROR_ACCESS_DENIED);
		return 1;
	}
	request->uid = uid;
	if (uid == 0 || uid == request->owner)
		allow(request);
	else if (ask_polkit(request) < 0)
		deny(request, SD_BUS_ERROR_FAILED);
	return 1;
}

int polkit_check(struct request *request, sd_bus_error *error)
{
	sd_bus *connection = sd_bus_message_get_bus(request->message);
	int r;

	if (bus_is_private(request->bus, connection)) {
		allow(request); /* its peer was seen to be root when it was accepted */
		return 1;
	}
	if (too_many(request)) {
		request_free(request);
		return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
					"Too many calls wait for an authorisation.");
	}
	request->next = request->bus->requests;
	request->bus->requests = request;
	r = sd_bus_call_method_async(connection, &request->slot, "org.freedesktop.DBus",
				     "/org/freedesktop/DBus", "org.freedesktop.DBus",
				     "GetConnectionUnixUser", on_uid, request, "s",
				     sd_bus_message_get_sender(request->message));
	if (r < 0)
		request_free(request);
	return r < 0 ? r : 1;
}
