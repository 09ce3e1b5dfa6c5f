/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The planner's own structures, shared by plan.c and plan-*.c and nobody else.
 *
 * Planning has four passes over the volumes: resolve (which region, which existing object),
 * judge (what has to happen to it), place (where new space comes from), emit (the steps:
 * everything that takes away first, then everything that makes).
 */
#ifndef DAXD_CORE_PLANNER_H
#define DAXD_CORE_PLANNER_H

#include "core/geometry.h"
#include "core/identity.h"
#include "core/layout.h"
#include "core/match.h"
#include "core/plan.h"

enum verdict {
	VERDICT_REFUSED, /* a problem is in the report */
	VERDICT_KEEP,	  /* the object stays; its driver, memory or access may change */
	VERDICT_CREATE,
	VERDICT_RESIZE,	 /* dynamic: same device, other ranges or align */
	VERDICT_CONVERT, /* pmem: same namespace, other mode */
	VERDICT_REPLACE, /* pmem: destroy and create */
	VERDICT_REMOVE,
	VERDICT_GONE, /* is to be absent and is */
};

/* One volume on its way through the passes; borrows everything but ranges. */
struct goal {
	const struct volume *volume;
	const struct region *region;
	const struct namespace *ns;
	const struct dax_device *device; /* of the namespace, or of the dynamic region */
	const struct record *record;
	const struct record *former; /* of the name that its object had until now; or NULL */
	enum verdict verdict;
	bool destructive;
	const char *reason;	  /* half a sentence, static */
	struct uuid uuid;	  /* of the namespace that is or will be */
	uint64_t align, size;	  /* to be; size 0: decided by placing */
	enum map_location map;	  /* to be */
	struct range_list ranges; /* to be, of dynamic regions; of pmem where it is expected */
	size_t last_step;	  /* index + 1 of this volume's last step so far */
	size_t together; /* index + 1 of the first of those that run beside the last; 0: none */
};

struct region_state {
	struct space space;
	bool init_labels;	/* blank labels are to be written */
	/* The device the kernel made of the whole region and nobody asked for: free memory. */
	const struct dax_device *default_device;
	bool release_default;		/* it goes, because a volume needs the space */
	const struct goal *unlabelled;	/* the volume that has the one namespace of the region */
	const void **freed;		/* namespaces and devices whose ranges become free */
	size_t n_freed;
	size_t n_creates; /* volumes that need new space here */
	size_t last_release; /* index + 1 of the last step that frees space */
};

struct planner {
	const struct config *config;
	const struct topology *topology;
	struct match *match;
	struct goal *goals; /* one for each volume, same order */
	size_t n_goals;
	struct region_state *states; /* one for each region, same order */
	bool *claimed;		     /* for each record: a volume of the configuration is it */
	bool *gone;		     /* for each record: nobody wants its device back */
	struct report *report;
	struct plan *plan;
	bool names_windows;	     /* one gets a name that must be nobody else's */
	bool no_memory;
	struct step nowhere; /* takes the writes once memory is gone; never read */
};

struct region_state *planner_state(struct planner *p, const struct region *region);

/*
 * Report that a goal cannot be; member NULL points at the volume.  hint may be NULL; it is
 * freed.  The goal is VERDICT_REFUSED afterwards.
 */
void goal_refuse(struct planner *p, struct goal *goal, const char *member, int code, char *hint,
		 const char *format, ...) _printf_(6, 7);
/* The same for one of its partitions; member NULL points at the partition. */
void partition_refuse(struct planner *p, struct goal *goal, const struct partition *partition,
		      const char *member, int code, char *hint, const char *format, ...)
	_printf_(7, 8);
/* asprintf() that notes lack of memory in the planner. */
char *planner_text(struct planner *p, const char *format, ...) _printf_(2, 3);
void planner_drift(struct planner *p, const struct goal *goal, const char *attribute,
		   const char *have, const char *want);
void planner_drift_size(struct planner *p, const struct goal *goal, const char *attribute,
			uint64_t have, uint64_t want);
/*
 * May it be taken from them?  Whoever has its node open, and not mapped, loses nothing but the
 * node; but a device must not get device_dax again while a descriptor of before is open.
 */
bool goal_may_take(const struct goal *goal, const struct holder_list *holders);
/* "mount /mnt, process x (pid 1)"; NULL: memory ran out. */
char *describe_holders(struct planner *p, const struct holder_list *holders);
/* Refuse when somebody keeps the object in use; what: "be destroyed". */
bool goal_refuse_held(struct planner *p, struct goal *goal, const char *object,
		      const struct holder_list *holders, const char *what);
/*
 * "16G" of the configuration in bytes, 0 for "all"; false: refused.  It must be a multiple of
 * step, unless it is just what the volume has.
 */
bool goal_wanted_size(struct planner *p, struct goal *goal, uint64_t step, uint64_t have,
		      uint64_t *ret);
/* Refuse a region without its driver: nothing can be made or changed in it. */
bool goal_check_enabled(struct planner *p, struct goal *goal);
/* Refuse an align that the region does not support. */
bool goal_check_align(struct planner *p, struct goal *goal);
/* The object's ranges become free for placing. */
void goal_frees(struct planner *p, const struct goal *goal, const void *object);
/* plan-records.c */
/* After all volumes have claimed theirs. */
void records_find_gone(struct planner *p);
void records_emit_gone(struct planner *p);
/* Also what a volume of another configuration has is taken: -ENOMEM. */
int records_use_space(struct planner *p);
/* The record of a volume that is not in this configuration and has some of these ranges. */
const struct record *planner_foreign_record(const struct planner *p,
					    const struct range_list *ranges);
void goal_refuse_no_space(struct planner *p, struct goal *goal, struct space *space, uint64_t size,
			  uint64_t step, bool contiguous);

/* plan-resolve.c */
void resolve_goals(struct planner *p);

/* plan-claims.c */
/* After resolving: an object is one volume's; what is only renamed stays. */
void claims_settle(struct planner *p);
/* After placing: refuse to take a link from what the plan leaves as it is. */
void claims_check_links(struct planner *p);

/* plan-pmem.c, plan-dynamic.c: one volume each */
void pmem_judge(struct planner *p, struct goal *goal);
void pmem_place(struct planner *p, struct goal *goal);
void pmem_emit_teardown(struct planner *p, struct goal *goal);
void pmem_emit_build(struct planner *p, struct goal *goal);
void dynamic_judge(struct planner *p, struct goal *goal);
/* In this order: what says where it is, what needs (more) space, existing "all" volumes. */
void dynamic_place_fixed(struct planner *p, struct goal *goal);
void dynamic_place(struct planner *p, struct goal *goal);
void dynamic_grow(struct planner *p, struct goal *goal);
void dynamic_emit_teardown(struct planner *p, struct goal *goal);
void dynamic_emit_build(struct planner *p, struct goal *goal);
/* Steps that take away what no volume asked for: default devices, blank labels. */
void dynamic_emit_release(struct planner *p, const struct region *region);

/* plan-partition.c: of a volume that has a block device. */
/* Maps go before their disk does. */
void partition_emit_teardown(struct planner *p, struct goal *goal, const char *reason);
/* fresh: the disk is made by this plan. */
void partition_emit_build(struct planner *p, struct goal *goal, bool fresh);

/* plan-window.c: of a volume that is a dax device of a namespace. */
void window_emit_build(struct planner *p, struct goal *goal, bool fresh);
/* plan-window-name.c: refuse a new name that a window of another device has. */
void window_check_names(struct planner *p, struct goal *goal);

/* plan-table.c: the table that a volume asks for. */
struct table_goal {
	const struct disk *disk; /* NULL: made by this plan, or a character device */
	const struct holder_list *holders; /* of a character device: of all of it; else NULL */
	uint64_t grain;			   /* what new partitions begin and end at */
	const char *name;	 /* of the disk, or of the volume */
	uint64_t device;	 /* how long it is */
	struct partition_table table; /* to be; as it is until then */
	bool changed, destructive;
	unsigned int orphan; /* a partition in use that is in no table any more; 0: none is */
};
/* false: refused. */
bool table_plan(struct planner *p, struct goal *goal, struct table_goal *table);
/* The uuid that a partition has, or will get. */
struct uuid partition_goal_uuid(const struct planner *p, const struct goal *goal,
				const struct partition *partition);
/* Who has a partition in use, "" when it is idle; in the kernel's eyes or in ours. */
char *partition_users(struct planner *p, const struct disk *disk, unsigned int number);

/* plan-emit.c */
/* Steps of a goal between the two come after what was before them, and run side by side. */
struct together {
	size_t last_step, before, first;
};
struct together together_begin(const struct goal *goal);
struct step *together_step(struct planner *p, struct goal *goal, struct together *together,
			   enum step_kind kind, const char *reason);
void together_end(struct goal *goal, const struct together *together);
/* A new step at the end of the plan, with volume, region, reason and after filled in. */
struct step *emit_step(struct planner *p, struct goal *goal, const struct region *region,
		       enum step_kind kind, const char *reason);
/* step must wait for the step with index earlier. */
void emit_after(struct planner *p, struct step *step, size_t earlier);
void emit_after_release(struct planner *p, struct step *step, const struct region *region);
void emit_releases_space(struct planner *p, const struct region *region);
/* Take memory and driver away from a device; goal NULL: the default device. */
void emit_deactivate(struct planner *p, struct goal *goal, const struct region *region,
		     const struct namespace *ns, const struct dax_device *device,
		     const char *reason);
/* Of memory that stays memory, whatever else is made of it: before its device goes. */
void drift_zone(struct planner *p, const struct goal *goal);
/* What udev is to link to its node, whether it is to be published or not; the caller frees it. */
char *goal_link(struct planner *p, const struct goal *goal);
/* Driver, memory and publication as the volume wants them; fresh: the device was just made. */
void emit_activate(struct planner *p, struct goal *goal, bool fresh);
/* Copy text into a step member, noting lack of memory. */
void step_text(struct planner *p, char **member, const char *text);

#endif
