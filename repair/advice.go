package repair

import (
	"fmt"
	"strings"
)

// Deployment is how Harbor was installed, which decides in whose words a plan
// says what to do around it.
type Deployment string

// The deployments. The zero value is Unknown.
const (
	Compose Deployment = "compose" // the installer, with docker compose
	Helm    Deployment = "helm"    // the chart, on Kubernetes
	Unknown Deployment = ""
)

// commands are the commands of a deployment; of an unknown one, those of each,
// a line for each.
type commands struct{ stop, start, redis string }

// commandsOf: the installer's folder holds docker-compose.yml, with the service
// jobservice and the container redis in every release; the chart labels its
// deployments with component=jobservice and component=redis.
var commandsOf = map[Deployment]commands{
	Compose: {
		stop:  composeStop,
		start: "docker compose start jobservice",
		redis: "docker exec redis redis-cli -n 2",
	},
	Helm: {
		stop:  helmScale + "0",
		start: helmScale + "1   # or as many as it had",
		redis: "kubectl -n NAMESPACE exec RELEASE-harbor-redis-0 -- redis-cli -n 2",
	},
	Unknown: {
		stop:  composeStop + "\n" + helmScale + "0",
		start: "docker compose start jobservice\n" + helmScale + "1",
		redis: "redis-cli -n 2",
	},
}

const (
	composeStop = "docker compose stop jobservice   # in Harbor's folder; or docker-compose"
	helmScale   = "kubectl -n NAMESPACE scale deployment -l app=harbor,component=jobservice --replicas="
)

// stopJobservice comes first in every plan for background work: age alone does
// not prove that a job is dead.
func (p *planner) stopJobservice() {
	p.plan.Before = append(p.plan.Before, Step{
		What:    "stop jobservice, so that nothing runs and nothing answers for these rows; their age alone proves nothing",
		Command: commandsOf[p.options.Deployment].stop,
	})
}

func (p *planner) startJobservice() {
	p.plan.After = append(p.plan.After, Step{What: "start jobservice", Command: commandsOf[p.options.Deployment].start})
}

// adviseRedis says what to do about jobs that Redis still holds: a job that
// jobservice starts anew sets its row again. jobservice's keys are in the Redis
// database 2 unless it was told otherwise. From 2.4 on it rebuilds all
// schedules from the database when it starts (src/jobservice/sync), before that
// they are in Redis alone. Up to 1.4 jobs were not in Redis at all.
func (p *planner) adviseRedis(jobs ...string) {
	redis := commandsOf[p.options.Deployment].redis
	switch {
	case p.tables.jobs != nil && !p.tables.jobs.has("job_uuid"):
	case p.tables.policies != nil && p.tables.policies.has("speed_kb"):
		p.plan.After = append(p.plan.After, Step{
			What:    "while jobservice is stopped its keys in Redis may be dropped, so that no queued job of these runs again; it rebuilds the schedules from the database",
			Command: redis + " --scan --pattern '{harbor_job_service_namespace}:*' | xargs -r " + redis + " del",
		})
	default:
		step := Step{What: "do not flush Redis: up to Harbor 2.3 the schedules are there alone. A job that is still queued there runs again and sets its row anew: stop it in the interface then"}
		if len(jobs) > 0 {
			step.What += ", or delete its queue before the start"
			step.Command = fmt.Sprintf("%s del '{harbor_job_service_namespace}:jobs:%s'", redis, strings.Join(jobs, "' '{harbor_job_service_namespace}:jobs:"))
		}
		p.plan.After = append(p.plan.After, step)
	}
}

// adviseReplication is the advice around a repair of replication.
func (p *planner) adviseReplication() {
	p.stopJobservice()
	if p.tables.jobs == nil {
		p.adviseRedis(replicationType)
	} else {
		p.adviseRedis()
	}
	p.startJobservice()
	if p.chosen == nil || !p.chosen.gone && !p.chosen.deleted {
		step := Step{What: "switch the policy on again in the interface (Replications), if it was switched off to stop the jobs"}
		if len(p.plan.LeftAlone) == 0 {
			step.What += "; or delete it there, which is possible now"
		}
		p.plan.After = append(p.plan.After, step)
	}
	p.noteEnabled()
	p.noteLeftAlone()
}

// noteEnabled: up to 1.3 a policy that is switched on cannot be deleted either.
func (p *planner) noteEnabled() {
	if p.tables.jobs != nil && p.tables.immediate == nil {
		p.plan.Notes = append(p.plan.Notes, "in this release a policy has to be switched off before it can be deleted")
	}
}

// adviseExecutions is the advice around a repair of other executions.
func (p *planner) adviseExecutions(types []string) {
	p.stopJobservice()
	p.adviseRedis()
	p.startJobservice()
	for _, t := range vendorTypes {
		for _, name := range types {
			if t.name == name {
				p.plan.Notes = append(p.plan.Notes, fmt.Sprintf("a stuck row of %s: %s", t.name, t.effect))
			}
		}
	}
	p.noteLeftAlone()
}

func (p *planner) noteLeftAlone() {
	if n := len(p.plan.LeftAlone); n > 0 {
		p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(
			"%d of the stuck rows are young and left alone; --older-than 0 takes them in, once jobservice is stopped", n))
	}
}
