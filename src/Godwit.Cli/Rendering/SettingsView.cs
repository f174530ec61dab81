using Godwit.Metadata;
using Godwit.Notifications;
using Godwit.Workers;
using Spectre.Console;

namespace Godwit.Cli.Rendering;

/// <summary>The settings, what came of trying one, and who changed them.</summary>
internal static class SettingsView
{
    /// <summary>A line for each, with what it is for.</summary>
    public static Table Of(WorkerSettings settings)
    {
        var table = Look.Bare("Setting", "Value", "");
        var texts = settings.Texts;
        foreach (var definition in WorkerSettings.Definitions)
        {
            var value = texts[definition.Name];
            table.AddRow(Look.Words(definition.Name, Look.Strong), Look.Words(value.Length == 0 ? "–" : value, value == definition.Default ? Look.Quiet : Look.Good), Look.Words(definition.Help, Look.Quiet));
        }

        return table;
    }

    /// <summary>A line for each receiver of a test.</summary>
    public static Table Of(IReadOnlyList<NotificationTest> targets)
    {
        var table = Look.Bare("Target", "");
        foreach (var target in targets)
        {
            table.AddRow(Look.Words(target.Target, Look.Strong), target.Problem is null ? Look.Words("took the test", Look.Good) : Look.Words("did not", Look.Bad));
        }

        return table;
    }

    /// <summary>A line for each entry of the audit trail.</summary>
    public static Table Of(IReadOnlyList<AuditEntry> entries)
    {
        var table = Look.Bare("When", "Who", "Did", "To", "");
        foreach (var entry in entries)
        {
            table.AddRow(Look.Words(Plain.Moment(entry.At), Look.Quiet), Look.Words(entry.Who), Look.Words(entry.Action, Look.Strong), Look.Words(entry.Subject), Look.Words(entry.Details ?? ""));
        }

        return table;
    }
}
