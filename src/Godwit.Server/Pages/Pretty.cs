using System.Text.Encodings.Web;
using System.Text.Json;

namespace Godwit.Server.Pages;

/// <summary>JSON as people read it.</summary>
internal static class Pretty
{
    // Pages escape it themselves; twice would show entities.
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>On one line; as it is when it is no JSON.</summary>
    public static string Line(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return JsonSerializer.Serialize(document.RootElement, Plain);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    /// <summary>Indented, and with the line breaks of SQL as such; as it is when it is no JSON.</summary>
    public static string Json(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return Json(document.RootElement);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    /// <inheritdoc cref="Json(string)"/>
    public static string Json(JsonElement element) =>
        element.ValueKind == JsonValueKind.Undefined ? "" : JsonSerializer.Serialize(element, Indented).Replace("\\n", "\n", StringComparison.Ordinal);
}
