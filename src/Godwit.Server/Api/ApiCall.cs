using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Godwit.Server.Api;

/// <summary>Says of a POST that it only looks: it needs no key, and may be sent again.</summary>
internal sealed record ChangesNothing;

/// <summary>A parameter that may stand behind the question mark.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of one value.</param>
/// <param name="IsList">Whether it may be given several times.</param>
/// <param name="Range">The bounds of a number.</param>
internal sealed record QueryParameter(string Name, Type Type, bool IsList, RangeAttribute? Range)
{
    /// <summary>What is wrong with a value; null when it is good.</summary>
    public string? Problem(string value)
    {
        if (Type.IsEnum)
        {
            return Enum.GetNames(Type).Contains(value, StringComparer.Ordinal) ? null : $"{Name}: '{value}' is not one of {string.Join(", ", Enum.GetNames(Type))}.";
        }

        if (Type == typeof(bool))
        {
            return value is "true" or "false" ? null : $"{Name}: '{value}' is neither true nor false.";
        }

        if (Type != typeof(int))
        {
            return value.Contains('\0', StringComparison.Ordinal) ? $"{Name} must not hold the character U+0000." : null;
        }

        return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && Range?.IsValid(number) != false
            ? null
            : $"{Name}: '{value}' is not a whole number{(Range is null ? "" : $" from {Range.Minimum} to {Range.Maximum}")}.";
    }
}

/// <summary>What is known of a call before its handler sees it.</summary>
/// <param name="Query">The parameters that may stand behind the question mark.</param>
/// <param name="IsChange">Whether it changes something, so that it must not be done twice.</param>
/// <param name="HasBody">Whether it takes a body.</param>
internal sealed record ApiCall(IReadOnlyList<QueryParameter> Query, bool IsChange, bool HasBody)
{
    /// <summary>Reads it off a handler, once, when the routes are made: a new one cannot be forgotten.</summary>
    public static ApiCall Of(EndpointBuilder endpoint)
    {
        var handler = endpoint.Metadata.OfType<MethodInfo>().First();
        var methods = endpoint.Metadata.OfType<IHttpMethodMetadata>().SelectMany(m => m.HttpMethods);
        return new ApiCall(
            [.. handler.GetParameters().SelectMany(Parameters)],
            !methods.All(HttpMethods.IsGet) && !endpoint.Metadata.OfType<ChangesNothing>().Any(),
            endpoint.Metadata.OfType<IAcceptsMetadata>().Any());
    }

    /// <summary>Everything that is wrong with what stands behind the question mark.</summary>
    public IEnumerable<string> Problems(IQueryCollection given)
    {
        foreach (var (name, values) in given)
        {
            if (Query.FirstOrDefault(p => p.Name == name) is not { } parameter)
            {
                yield return $"There is no parameter {name} here; there {(Query.Count == 0 ? "are none" : $"are {string.Join(", ", Query.Select(p => p.Name))}")}.";
            }
            else if (!parameter.IsList && values.Count > 1)
            {
                yield return $"{name} was given {values.Count} times.";
            }
            else
            {
                foreach (var problem in values.Select(v => parameter.Problem(v ?? "")).OfType<string>())
                {
                    yield return problem;
                }
            }
        }
    }

    private static IEnumerable<QueryParameter> Parameters(ParameterInfo parameter) => parameter.IsDefined(typeof(AsParametersAttribute))
        ? parameter.ParameterType.GetProperties().SelectMany(p => Parameters(p, p.Name, p.PropertyType))
        : Parameters(parameter, parameter.Name!, parameter.ParameterType);

    private static IEnumerable<QueryParameter> Parameters(ICustomAttributeProvider declared, string name, Type type) =>
        declared.GetCustomAttributes(inherit: false).OfType<FromQueryAttribute>().Select(query => new QueryParameter(
            query.Name ?? name,
            type.GetElementType() ?? Nullable.GetUnderlyingType(type) ?? type,
            type.IsArray,
            declared.GetCustomAttributes(inherit: false).OfType<RangeAttribute>().SingleOrDefault()));
}
