//! The commands of front ends, and when they are refused.

use std::{path::Path, sync::Arc};

use crate::{
    engine::{
        Command, DownPlan, Event, Update, down, fix, forward, refresh, refresh_survey, reload,
    },
    model::Failure,
    remedy::{FixScope, Plan, Unrecorded},
};

use super::{Dispatcher, tasks::Task};

impl Dispatcher {
    pub(super) fn command(&mut self, command: Command) {
        let only_reads = matches!(
            command,
            Command::Refresh
                | Command::Reload
                | Command::ReloadChanged
                | Command::WatchFiles
                | Command::PlanDown
                | Command::PlanUp
                | Command::PlanStop
                | Command::PlanStart
                | Command::PlanAdopt
                | Command::PlanFix(_)
                | Command::PreviewFixes
                | Command::PlanTeardown
        );
        if let Some(holder) = self.store.read_only().filter(|_| !only_reads) {
            let failure = Failure::new(format!("this process is read-only: {holder}"));
            return self.send(Update::Refused(failure.hint("use that process, or end it first")));
        }
        if !only_reads {
            self.backlog.report_again();
        }
        if let Some(failure) = self.too_new(&command).filter(|_| !only_reads) {
            return self.send(Update::Refused(failure));
        }
        match command {
            Command::Refresh => self.refresh(),
            Command::ReloadChanged if self.shared.files.changed().files.is_empty() => {}
            Command::Reload | Command::ReloadChanged => self.reload(),
            Command::WatchFiles if self.is_running(&Task::WatchFiles) => {}
            Command::WatchFiles => self.watch(),
            Command::Up => self.up(),
            Command::RetryNode(name) => self.retry(&name),
            Command::RetryStep(name, step) => self.retry_step(&name, &step),
            Command::PlanDown => self.plan_down(),
            Command::Down(plan) => self.down(plan),
            Command::PlanUp => self.plan_up(),
            Command::PlanStop => self.plan_stop(),
            Command::StopMachines(plan) => self.stop_machines(plan),
            Command::PlanStart => self.plan_start(),
            Command::StartMachines(plan) => self.start_machines(&plan),
            Command::Restart => self.restart_services(),
            Command::PlanAdopt => self.plan_adopt(),
            Command::Adopt(plan) => self.adopt(plan),
            Command::PlanFix(scope) => self.plan_fix(Some(scope)),
            Command::PlanTeardown => self.plan_fix(None),
            Command::PreviewFixes => self.preview_fixes(),
            Command::TakeOver(resources) => self.take_over(resources),
            Command::Fix(plan) => self.fix(plan),
            Command::Shutdown => {}
        }
    }

    /// Why `command` can't be carried out on a journal of a newer format: what
    /// its records mean is not known. Terminating uses the tag.
    fn too_new(&self, command: &Command) -> Option<Failure> {
        let damage = self.store.damage().filter(|damage| damage.newer_format().is_some())?;
        (!matches!(command, Command::Down(_) | Command::Shutdown)).then(|| damage.failure())
    }

    /// What changes outside of muster and is worth a line on the screen.
    fn watch(&mut self) {
        self.spawn(Task::WatchFiles, reload::watch(self.shared.clone()));
        let shared = self.shared.clone();
        self.spawn(Task::WatchInstances, async move { refresh::watch(&shared).await });
        if let Some(folder) = self.store.folder().map(Path::to_owned) {
            self.spawn(Task::WatchForward, forward::watch(self.shared.clone(), folder));
        }
    }

    pub(super) fn refresh(&mut self) {
        self.abort(&Task::Refresh);
        self.send(Update::Refreshing);
        let work = refresh_survey::run(self.shared.clone(), self.survey.clone(), !self.up_running);
        self.spawn(Task::Refresh, work);
    }

    /// Reads the files on the spot, as it writes the journal: what is asked
    /// after it is asked of the new project.
    fn reload(&mut self) {
        if self.is_busy() {
            return self.refuse("a launch, a termination, a stop or a fix is under way");
        }
        match self.replan() {
            Ok(()) => self.refresh(),
            Err(failure) => self.send(Update::Refused(failure)),
        }
    }

    /// Plans what the files say now.
    pub(super) fn replan(&mut self) -> Result<(), Failure> {
        let (reading, project) = reload::load(&self.shared);
        self.send(Update::Configs(Arc::new(reading)));
        let project = project?;
        self.shared.replan(project.clone());
        // The dry runs may have been of another launch.
        self.survey = None;
        self.send(Update::Project(project));
        Ok(())
    }

    fn plan_down(&mut self) {
        let (shared, launching) = (self.shared.clone(), self.up_running);
        self.abort(&Task::PlanDown);
        self.spawn(Task::PlanDown, async move {
            let plan = down::plan(&shared, launching).await;
            shared.update(Update::DownPlan(Arc::new(plan)));
        });
    }

    /// `None`: what would take the networks away that muster made.
    fn plan_fix(&mut self, scope: Option<FixScope>) {
        let (shared, last) = (self.shared.clone(), self.survey.clone());
        self.abort(&Task::PlanFix);
        self.spawn(Task::PlanFix, async move {
            match scope {
                Some(scope) => fix::plan(&shared, last.as_deref(), &scope).await,
                None => fix::plan_teardown(&shared).await,
            }
        });
    }

    fn preview_fixes(&mut self) {
        let Some(survey) = self.survey.clone() else { return };
        let shared = self.shared.clone();
        self.abort(&Task::PreviewFixes);
        self.spawn(Task::PreviewFixes, async move { fix::preview(&shared, &survey).await });
    }

    /// Synced before any plan relies on it.
    fn take_over(&mut self, resources: Vec<Unrecorded>) {
        let mut recorded = self.open_run();
        for Unrecorded { slot, region, id, .. } in resources {
            let event = Event::ResourceTakenOver { slot, region, id };
            recorded = recorded.and_then(|()| self.record(event));
        }
        match recorded {
            Ok(()) => self.send(Update::TakenOver),
            Err(failure) => self.send(Update::Refused(failure)),
        }
    }

    fn fix(&mut self, plan: Arc<Plan>) {
        if self.is_busy() {
            return self.refuse("a launch, a termination, a stop or a fix is under way");
        }
        if let Err(failure) = self.open_run() {
            return self.send(Update::Refused(failure));
        }
        self.shared.halted.send_replace(false);
        self.spawn(Task::Fix, fix::run(self.shared.clone(), plan));
    }

    /// Nothing new is launched from here on; calls under way are waited for,
    /// since what they make has to be terminated as well.
    fn down(&mut self, plan: Arc<DownPlan>) {
        if self.ends() {
            return self.refuse("a termination or a stop is under way");
        }
        if self.is_running(&Task::Fix) || self.is_running(&Task::Adopt) {
            return self.refuse("a fix or an adoption is under way; it ends by itself");
        }
        self.drop_launches();
        let shared = self.shared.clone();
        self.spawn(Task::Down, async move {
            shared.must.all_ended().await;
            down::run(shared, plan).await;
        });
    }
}
