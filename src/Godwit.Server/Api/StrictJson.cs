using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Godwit.Checks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace Godwit.Server.Api;

/// <summary>The body of a request, read by <see cref="StrictJson"/>.</summary>
/// <param name="Value">What it says.</param>
internal sealed record Body<T>(T Value) : IEndpointParameterMetadataProvider
{
    /// <summary>Is called by the framework.</summary>
    public static async ValueTask<Body<T>?> BindAsync(HttpContext http, ParameterInfo parameter) => new(await StrictJson.ReadAsync<T>(http));

    /// <summary>Is called by the framework.</summary>
    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) => builder.Metadata.Add(new AcceptsMetadata([StrictJson.ContentType], typeof(T)));
}

/// <summary>Reads JSON that must be exactly what is expected, and tells everything that is wrong with it at once.</summary>
internal static class StrictJson
{
    /// <summary>What a body must be.</summary>
    public const string ContentType = "application/json";

    private static readonly JsonDocumentOptions Form = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>The body of a request.</summary>
    /// <exception cref="InvalidRequestException">It is not what is expected.</exception>
    /// <exception cref="BadHttpRequestException">It is no JSON by its type, too large, or came too slowly.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext http)
    {
        if (!http.Request.HasJsonContentType())
        {
            throw new BadHttpRequestException($"Send JSON: Content-Type: {ContentType}.", StatusCodes.Status415UnsupportedMediaType);
        }

        using var bytes = new MemoryStream();
        await http.Request.Body.CopyToAsync(bytes, http.RequestAborted);
        return Read<T>(bytes.ToArray());
    }

    private static T Read<T>(byte[] bytes)
    {
        if (!Utf8.IsValid(bytes))
        {
            throw Refusal("The body is not UTF-8.");
        }

        try
        {
            using var document = JsonDocument.Parse(bytes, Form);
            List<string> problems = [];
            Look(document.RootElement, ApiJson.Strict.GetTypeInfo(typeof(T)), "", problems);
            return problems.Count == 0 ? document.RootElement.Deserialize<T>(ApiJson.Strict)! : throw new InvalidRequestException(problems);
        }
        catch (JsonException e)
        {
            throw Refusal($"The body is not JSON that can be read: {e.Message}");
        }
        catch (InvalidOperationException)
        {
            // What an escape in a text or a name stands for is found out late.
            throw Refusal("The body holds a text that is no text: half of a surrogate pair.");
        }
    }

    private static void Look(JsonElement element, JsonTypeInfo type, string path, List<string> problems)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
        {
            LookAtValue(element, type, path, problems);
            return;
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            problems.Add($"{Called(path)} must be an object.");
            return;
        }

        // What can only be read is not known here.
        var known = type.Properties.Where(p => p.Set is not null || p.AssociatedParameter is not null).ToDictionary(p => p.Name, StringComparer.Ordinal);
        foreach (var given in element.EnumerateObject())
        {
            if (!known.TryGetValue(given.Name, out var property))
            {
                problems.Add($"There is no field {path}{given.Name}; there are {string.Join(", ", known.Keys)}.");
            }
            else if (given.Value.ValueKind != JsonValueKind.Null)
            {
                Look(given.Value, type.Options.GetTypeInfo(property.PropertyType), $"{path}{given.Name}.", problems);
            }
            else if (!property.IsSetNullable)
            {
                problems.Add($"{path}{given.Name} must not be null; leave it out for its default.");
            }
        }

        problems.AddRange(known.Values.Where(p => p.IsRequired && !element.TryGetProperty(p.Name, out _)).Select(p => $"{path}{p.Name} must be given."));
    }

    private static void LookAtValue(JsonElement element, JsonTypeInfo type, string path, List<string> problems)
    {
        if (Texts(element).Any(t => t.Contains('\0', StringComparison.Ordinal)))
        {
            problems.Add($"{Called(path)} must not hold the character U+0000.");
        }

        try
        {
            element.Deserialize(type);
        }
        catch (JsonException)
        {
            problems.Add($"{Called(path)} must be {Expected(type.Type)}.");
        }
        catch (FormatException e)
        {
            problems.Add($"{Called(path)}: {e.Message}");
        }
    }

    private static IEnumerable<string> Texts(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Texts),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Texts(p.Value).Prepend(p.Name)),
        _ => [],
    };

    private static string Called(string path) => path.Length == 0 ? "The body" : path.TrimEnd('.');

    private static string Expected(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        return plain switch
        {
            { IsEnum: true } => $"one of {string.Join(", ", Enum.GetNames(plain))}",
            _ when plain == typeof(string) => "a text",
            _ when plain == typeof(bool) => "true or false",
            _ when plain == typeof(int) || plain == typeof(long) => "a whole number",
            _ when typeof(IEnumerable<KeyValuePair<string, string>>).IsAssignableFrom(plain) => "an object that holds texts",
            _ when typeof(IEnumerable<string>).IsAssignableFrom(plain) => "a list of texts",
            _ => "something else; the description at /api/v1/openapi.json says what",
        };
    }

    private static InvalidRequestException Refusal(string sentence) => new([sentence]);
}
