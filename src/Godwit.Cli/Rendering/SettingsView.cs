using Godwit.Workers;
using Spectre.Console;

namespace Godwit.Cli.Rendering;

/// <summary>The settings, with what they are for.</summary>
internal static class SettingsView
{
    /// <summary>A line for each.</summary>
    public static Table Of(WorkerSettings settings)
    {
        var table = Look.Bare("Setting", "Value", "");
        foreach (var definition in WorkerSettings.Definitions)
        {
            var value = settings.Texts[definition.Name];
            table.AddRow(Look.Words(definition.Name, Look.Strong), Look.Words(value.Length == 0 ? "–" : value, value == definition.Default ? Look.Quiet : Look.Good), Look.Words(definition.Help, Look.Quiet));
        }

        return table;
    }
}
