"""Skills: what there is, what fits a task, and how several are done in a row."""

from agentlab.skills.composing import SkillComposer, SkillPipeline
from agentlab.skills.loader import SkillLoader
from agentlab.skills.matching import SkillMatch, SkillMatcher, SkillMatches
from agentlab.skills.registry import Skill, SkillRegistry

__all__ = [
    "Skill",
    "SkillComposer",
    "SkillLoader",
    "SkillMatch",
    "SkillMatcher",
    "SkillMatches",
    "SkillPipeline",
    "SkillRegistry",
]
